-- The floor: as many rows into the narrowest table there can be, which nobody could use.
create table narrow (entitlement_id bigint, amount_minor bigint);
insert into narrow select entitlement_id, 10000 from credit_schedule where next_on <= ':on';
