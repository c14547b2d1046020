-- Of :rows only :due are due, no two of them neighbours; the rest five days later.
update credit_schedule set next_on = '2024-06-20' where entitlement_id % greatest(:rows / :due, 1) <> 0;
