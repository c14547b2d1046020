-- What members do with their benefits: seats, keys, activations, draws; and the agreements that stand against credit.

alter table request
    drop constraint request_kind_check,
    add check (kind in ('assign', 'remove', 'transfer', 'reassign', 'reveal', 'redeem', 'activate',
                        'cancel', 'product_support', 'cloud_support', 'advisory_hours', 'renew')),
    -- a service request that waits for the operator may name no order
    alter membership_id drop not null,
    -- service requests of all kinds share their ids
    add family text generated always as (
        case when kind in ('cancel', 'product_support', 'cloud_support', 'advisory_hours') then 'service' else kind end
    ) stored,
    drop constraint request_partner_id_kind_request_key_key,
    add unique (partner_id, family, request_key);
-- an order whose cancellation is not decided is frozen (D7)
create index request_freezes on request (membership_id) where kind = 'cancel' and status in ('waiting', 'pending');
-- who asked is known by their number, whichever of their names a row has
update request r set content = jsonb_set(r.content, '{requested_by}', to_jsonb(u.user_id))
from directory_user u where u.partner_id = r.partner_id and lower(u.object_id) = r.content ->> 'requested_by';
update request r set content = jsonb_set(r.content, '{requested_by}', to_jsonb(u.user_id))
from directory_user u where u.partner_id = r.partner_id and lower(u.user_principal_name) = r.content ->> 'requested_by';

-- what was asked for, as it was understood: of a refusal there is no request
alter table decision add content jsonb not null default '{}';

-- Seats (R4, D9): a seat keeps its number from user to user. Bulk credit has one (R2), monthly credit has none.
alter table assignment
    add seat_no integer check (seat_no > 0),
    -- the requests that began and ended it; null: it ended with its benefit
    add request_no bigint references request,
    add removed_by_no bigint references request;
update assignment a set seat_no = n.seat_no
from (select assignment_id,
             case when benefit like 'azure_bulk_credit%' then 1
                  -- whoever came back had the seat that was theirs
                  else dense_rank() over (partition by entitlement_id order by first_id) end as seat_no
      from (select a.assignment_id, a.entitlement_id, e.benefit,
                   min(a.assignment_id) over (partition by a.entitlement_id, a.user_id) as first_id
            from assignment a join entitlement e using (entitlement_id)
            where e.benefit like 'azure_bulk_credit%' or e.benefit like 'visual_studio%') of_seats) n
where n.assignment_id = a.assignment_id;
create unique index assignment_seat on assignment (entitlement_id, seat_no) where removed_on is null;
create index assignment_partner on assignment (partner_id) where removed_on is null and seat_no is not null;
-- who may, where somebody may not
create index directory_user_role on directory_user (partner_id) where roles <> '{}';
-- what whoever is named, by object id or user principal name, signs in as
create function directory_name(partner_id bigint, named text) returns text
language sql stable as $$
    select coalesce((select u.user_principal_name from directory_user u
                      where u.partner_id = directory_name.partner_id and lower(u.object_id) = lower(named)), named)
$$;

-- the number of a request's decision: which of a day's came first
create function decision_of(request_no bigint) returns bigint
language sql stable as $$ select d.decision_id from decision d where d.request_no = decision_of.request_no $$;

-- with whom a partner shares caps (D12)
create function partner_group(group_id text, number text) returns text
language sql immutable as $$ select case when group_id is null then 'partner ' || number else 'group ' || group_id end $$;
create index partner_group on partner (partner_group(group_id, number));

alter table benefit_use add request_no bigint references request;

alter table entitlement drop constraint entitlement_ended_as_check;
-- not_activated: a credit that nobody was assigned to in time (D11)
alter table entitlement add check (ended_as in ('expired', 'cancelled', 'renewed', 'not_activated'));

-- Benefits that were activated, once each (R5, R6, R8)
create table activation (
    entitlement_id bigint primary key references entitlement,
    partner_id     bigint not null references partner,
    activated_on   date   not null,
    -- Go-To-Market: the day from which the offer is live; null for everything else
    live_on        date check (live_on >= activated_on),
    -- the night of live_on has made it so
    live           boolean not null default false,
    request_no     bigint not null references request
);
-- offers that run: who is to be asked for a contact
create index entitlement_offer on entitlement (entitlement_id) where benefit like 'go_to_market%' and ended_on is null;
create index activation_going_live on activation (live_on) where not live and live_on is not null;

-- What tickets are opened with: activated per order, seen by every directory user from then on (R6)
create table support_contract (
    membership_id bigint primary key references membership,
    partner_id    bigint not null references partner,
    access_id     text   not null,
    contract_id   text   not null unique,
    activated_on  date   not null,
    request_no    bigint not null references request
);
create index support_contract_partner on support_contract (partner_id);

-- Product keys, sealed (promise 11). What a key is called outside is K and its key_id.
create table license_key (
    key_id         bigint generated always as identity primary key,
    partner_id     bigint   not null references partner,
    entitlement_id bigint   not null references entitlement,
    -- XChaCha20-Poly1305: nonce and ciphertext, bound to key_id and entitlement_id
    sealed         bytea    not null,
    -- HMAC-SHA-256 of the key: found without being known
    lookup         bytea    not null unique,
    -- its last characters, shown in its place
    tail           text     not null check (length(tail) <= 5),
    seats          integer check (seats > 0),
    months         smallint not null check (months > 0),
    product        text,
    language       text,
    os             text,
    download_url   text,
    instructions   text,
    known_on       date     not null,
    file_id        bigint   not null references file,
    line           integer  not null
);
create index license_key_entitlement on license_key (entitlement_id, key_id);

-- Each time a key was shown, or counted as shown (R5)
create table key_reveal (
    key_reveal_id  bigint generated always as identity primary key,
    key_id         bigint      not null references license_key,
    partner_id     bigint      not null references partner,
    revealed_on    date        not null,
    revealed_by    text        not null,
    request_no     bigint references request,
    recorded_at    timestamptz not null default now()
);
create index key_reveal_key on key_reveal (key_id);

-- Each key is redeemed once for ever, onto a subscription of its partner: the one of that benefit code (R3, D8)
create table redemption (
    redemption_id  bigint generated always as identity primary key,
    key_id         bigint      not null unique references license_key,
    partner_id     bigint      not null references partner,
    entitlement_id bigint      not null references entitlement,
    benefit        text        not null,
    mode           text        not null check (mode in ('new', 'add_seats', 'extend')),
    redeemed_on    date        not null,
    tenant_id      text        not null,
    -- the subscription before; null: there was none, or it had ended
    seats_before   integer,
    ends_before    date,
    -- and after: its seats, and the day on which it ends
    seats          integer     not null check (seats > 0),
    ends_on        date        not null check (ends_on >= redeemed_on),
    request_no     bigint      not null references request,
    recorded_at    timestamptz not null default now(),
    check ((seats_before is null) = (ends_before is null)),
    check ((seats_before is null) = (mode = 'new'))
);
create index redemption_subscription on redemption (partner_id, benefit, redemption_id desc);
create index redemption_entitlement on redemption (entitlement_id);

create trigger history_only_grows before update or delete or truncate on key_reveal
    for each statement execute function refuse_rewriting();
create trigger history_only_grows before update or delete or truncate on redemption
    for each statement execute function refuse_rewriting();

-- Other agreements of a partner; those of the catalogue's list exclude bulk credit (R2, D14)
create table agreement (
    agreement_id bigint generated always as identity primary key,
    partner_id   bigint  not null references partner,
    name         text    not null,
    valid_from   date    not null,
    -- last day; null: until further notice
    valid_until  date check (valid_until >= valid_from),
    known_on     date    not null,
    file_id      bigint  not null references file,
    line         integer not null,
    unique (partner_id, name, valid_from)
);

-- The marketing contact, as it was and became. Never rewritten.
create table contact_version (
    partner_id   bigint      not null references partner,
    version_no   integer     not null,
    user_id      bigint      not null references directory_user,
    email        text        not null,
    phone        text        not null,
    language     text        not null,
    known_on     date        not null,
    requested_by text        not null,
    file_id      bigint      not null references file,
    line         integer     not null,
    recorded_at  timestamptz not null default now(),
    primary key (partner_id, version_no)
);
create trigger history_only_grows before update or delete or truncate on contact_version
    for each statement execute function refuse_rewriting();
-- those that are known already
insert into contact_version (partner_id, version_no, user_id, email, phone, language, known_on, requested_by, file_id, line)
select c.partner_id, 1, c.user_id, c.email, c.phone, c.language, f.received_on, 'operator', c.file_id, 1
from contact c join file f using (file_id);

-- Hours and incidents: what a request drew. Minutes and counts have no currency.
alter table transfer add request_no bigint;
drop index transfer_once;
create unique index transfer_once on transfer
    (entitlement_id, period_no, kind, usage_id, corrects, correction_no) nulls not distinct where request_no is null;
create unique index transfer_once_a_request on transfer
    (entitlement_id, kind, request_no, corrects, correction_no) nulls not distinct where request_no is not null;

-- Hours and incidents stand in the schedule like credit: granted once, on their first day.
insert into credit_schedule (entitlement_id, partner_id, next_period_no, next_on)
select entitlement_id, partner_id, 0, starts_on from entitlement
where ended_on is null and quantity > 0
  and split_part(benefit, '/', 1) in ('product_support', 'signature_cloud_support', 'advisory_hours');

-- rows that name the operator as who asks are his: the command that asks runs on his machine
alter table file add by_operator boolean not null default false;

-- Tries of taking a file in that are under way, by the connection they go over: one whose connection is gone came to
-- no end, and is counted in file.attempts. Several processes may be at one file.
create table file_try (
    file_id       bigint      not null references file,
    backend_pid   integer     not null,
    backend_start timestamptz not null,
    primary key (file_id, backend_pid, backend_start)
);

-- cell keys that hold secrets are sealed as a whole on the stage
comment on column staged_row.cells is 'Cells joined by U+001F; of a file of product keys, sealed as a whole.';

-- What BI tools read grows at the end.

create or replace view report.entitlement as
select p.number as partner_id, m.order_id, m.offer, e.benefit, e.benefit_type,
       coalesce(e.quantity::text, 'unlimited') as quantity, m.purchased_on, e.starts_on, e.expires_on,
       coalesce(e.ended_as,
                case when s.waits ->> 'code' = 'bulk_blocked' then 'blocked'
                     when a.live_on is not null and not a.live then 'activating' end,
                m.status) as status, e.ended_on,
       (select string_agg(u.user_principal_name, '+' order by a.assigned_on, a.assignment_id)
          from public.assignment a join public.directory_user u using (user_id)
         where a.entitlement_id = e.entitlement_id and a.removed_on is null) as assigned_to,
       (select l.ends_on from public.redemption r
          join lateral (select ends_on from public.redemption l
                         where l.partner_id = r.partner_id and l.benefit = r.benefit
                         order by l.redemption_id desc limit 1) l on true
         where r.entitlement_id = e.entitlement_id limit 1) as subscription_ends_on,
       a.activated_on, a.live_on
from public.entitlement e
join public.membership m using (membership_id)
join public.partner p on p.partner_id = e.partner_id
left join public.credit_schedule s on s.entitlement_id = e.entitlement_id
left join public.activation a on a.entitlement_id = e.entitlement_id;
comment on column report.entitlement.status is
    'How it ended; blocked: an agreement excludes it (D14); activating: an offer that is not live yet (R8); else its order''s.';
comment on column report.entitlement.activated_on is 'When software, support or an offer was activated.';
comment on column report.entitlement.live_on is 'The day from which a Go-To-Market offer is live.';

create or replace view report.decision as
select d.decided_at, d.subject_kind, d.subject, d.action, d.requested_by, d.outcome,
       array(select r ->> 'code' from jsonb_array_elements(d.reasons) r) as reason_codes, d.earliest_on,
       d.content as asked
from public.decision d;
comment on column report.decision.asked is 'What was asked for, as it was understood; keys by their names only.';
