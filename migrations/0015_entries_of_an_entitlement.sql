-- The entries of one entitlement are looked up by it. Neither of the two indexes could be used for that, each holding a part
-- of the ledger only, so that whoever asked read it whole. Now the first holds all of it; what it forbids is the same:
-- of entries by request, the other index forbids more.
drop index transfer_once;
create unique index transfer_once on transfer
    (entitlement_id, period_no, kind, usage_id, corrects, correction_no, request_no) nulls not distinct;
