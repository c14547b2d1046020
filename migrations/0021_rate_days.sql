-- Which days are known to have rates, or none: a rate is final only without a hole before it (D4).

create table rate_day (
    day       date primary key,
    -- false: an operator said that the European Central Bank published nothing
    published boolean not null
);
insert into rate_day (day, published) select distinct published_on, true from reference_rate;
comment on table rate_day is 'Days of which reference rates are stored, of whatever currencies, or that an operator stated as unpublished.';

-- what an operator does beside jobs has no run; it is about something that has a name
alter table operator_action
    alter run_id drop not null,
    alter chunk_no drop not null,
    add subject text,
    drop constraint operator_action_action_check,
    add constraint operator_action_action_check
        check (action in ('retry', 'discard', 'cancel', 'snooze', 'state_unpublished', 'take_back_unpublished')),
    add check ((run_id is null) = (chunk_no is null) and (run_id is null) = (subject is not null));
create index operator_action_subject on operator_action (subject, action_id) where subject is not null;
