-- Requests that wait for the operator are let in or refused by name, and that is on record.

alter table request
    add column refused_by text,
    add column refused_why text,
    add check ((refused_by is null) = (refused_why is null));
comment on column request.refused_by is 'The operator who refused it by name; null: nobody did.';
comment on column request.refused_why is 'Why, in their words.';

-- whether a file that comes again has requests that were refused
create index request_refused on request (file_id) where status = 'refused';

alter table operator_action
    add column business_on date,
    drop constraint operator_action_action_check,
    add constraint operator_action_action_check
        check (action in ('retry', 'discard', 'cancel', 'snooze', 'state_unpublished', 'take_back_unpublished',
                          'admit_request', 'refuse_request', 'admit_rate', 'refuse_rate', 'revert_rates')),
    drop constraint operator_action_why_check,
    add constraint operator_action_why_check check (why <> '' or action = 'admit_request');
comment on column operator_action.business_on is 'The business date on which it was done, where that matters.';
