-- What an accepted cancellation did with the credit of its order (D7): what was taken back and what was spent, an amount a
-- currency, and the grants that were due by the request and wait. Null: a refusal, or decided before this was kept.
alter table decision add refund jsonb;
