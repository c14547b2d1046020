-- Rates that wait for an operator, rates that were taken back, and files whose rates were (D4).

create table rate_open (
    currency       char(3) not null,
    published_on   date    not null,
    -- what a file states; null: a rate of that day was taken back, and no other has come
    per_euro_micro bigint check (per_euro_micro > 0),
    -- the rate before it, from which it differs too much
    before_on      date,
    before_micro   bigint check (before_micro > 0),
    file_id        bigint  not null references file,
    primary key (currency, published_on),
    check ((per_euro_micro is null) = (before_on is null) and (per_euro_micro is null) = (before_micro is null))
);
comment on table rate_open is 'Rates that nothing is granted at: they wait for an operator, or were taken back and have not come again.';
create index rate_open_file on rate_open (file_id);

alter table file add column reverted_at timestamptz;
comment on column file.reverted_at is 'When rates that it brought were taken back; null: never.';

alter table operator_action
    drop constraint operator_action_action_check,
    add constraint operator_action_action_check
        check (action in ('retry', 'discard', 'cancel', 'snooze', 'state_unpublished', 'take_back_unpublished',
                          'admit_request', 'refuse_request', 'admit_rate', 'revert_rates'));
