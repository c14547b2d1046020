-- Somebody is taken out: names and addresses give way to a pseudonym, in history too, and what stands there otherwise stays.

create table erasure (
    erasure_id bigint      primary key,
    partner_id bigint,
    users      bigint[]    not null,
    erased_on  date        not null,
    erased_at  timestamptz not null default now(),
    by         text        not null check (by <> ''),
    why        text        not null check (why <> ''),
    taken_out  jsonb       not null
);
comment on table erasure is
    'Who was taken out, under the pseudonym erased-<erasure_id>: by whom and why, and what was taken out, never who it was.';
comment on column erasure.erasure_id is 'The number in the pseudonym: one after the other, given while nobody else changes facts.';
comment on column erasure.partner_id is 'Of whose directory; null: whoever had the address, wherever.';
comment on column erasure.users is 'Their numbers in directory_user, also where the row itself went since.';
comment on column erasure.erased_on is 'The business date.';
comment on column erasure.erased_at is 'When it was done.';
comment on column erasure.by is 'Who did it.';
comment on column erasure.why is 'Why; it does not name the person.';
comment on column erasure.taken_out is 'Rows that were changed, by table.';

create table erased_name (
    hash       bytea  not null,
    erasure_id bigint not null references erasure,
    primary key (hash, erasure_id)
);
comment on table erased_name is
    'By what somebody who was taken out is known again: keyed hashes (HMAC-SHA-256, with a key made from the secret of the store).';
comment on column erased_name.hash is 'Of a name or an address in lower case, with the Partner ID that it was known at.';
comment on column erased_name.erasure_id is 'Whose.';

comment on column suppression.address is
    'The address in lower case; of somebody who was taken out hmac: and its keyed hash in hexadecimal.';

-- What stands for somebody who was taken out; no address and no name of a directory is of this form.
create function is_pseudonym(named text) returns boolean
language sql immutable as $$
    select coalesce(named ~ '^erased-[0-9]+(\.[0-9]+)?$', false)
$$;

-- History only grows. One thing is let through: that a name gives way to a pseudonym, in the transaction that puts that on
-- record; and then nothing may change but the columns that the trigger names.
create or replace function refuse_rewriting() returns trigger
language plpgsql as $$
begin
    if tg_op = 'UPDATE' and tg_nargs > 0
        and exists (select from erasure where xmin = pg_current_xact_id()::xid) then
        return null;
    end if;
    raise exception '% on % is refused: history only grows', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
end $$;

create function check_erased() returns trigger
language plpgsql as $$
declare
    names text[];
begin
    select array_agg(named) into names from unnest(string_to_array(tg_argv[0], ',')) as named;
    if exists (select to_jsonb(w) - names from was w except all select to_jsonb(s) - names from stands s) then
        raise exception 'UPDATE on % is refused: history only grows, and only names are taken out', tg_table_name
            using errcode = 'insufficient_privilege';
    end if;
    return null;
end $$;

do $$
declare
    erasable record;
begin
    for erasable in select * from (values
        ('decision', 'requested_by,content,reasons'),
        ('contact_version', 'email,phone,requested_by'),
        ('key_reveal', 'revealed_by'),
        ('taken_back', 'subject,said,stands'),
        ('operator_action', 'subject,before,why')) as e (history, names)
    loop
        execute format('drop trigger history_only_grows on %I', erasable.history);
        execute format('create trigger history_only_grows before update or delete or truncate on %I
                        for each statement execute function refuse_rewriting(%L)', erasable.history, erasable.names);
        execute format('create trigger only_names_go after update on %I referencing old table as was new table as stands
                        for each statement execute function check_erased(%L)', erasable.history, erasable.names);
    end loop;
end $$;

-- Takes names out of history, which the worker cannot change otherwise. `pattern` finds what the person is called at the partner
-- in text, `pattern_in_json` in the text of jsonb, `pattern_anywhere` what nobody else is called; `names` are whole, in lower case.
create function erase_in_history(erased_as text, whose bigint, users bigint[], addresses text[], names text[], pattern text,
                                 pattern_in_json text, pattern_anywhere text)
returns table (place text, changed bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if not is_pseudonym(erased_as) then
        raise exception '% is no pseudonym', erased_as;
    end if;
    place := 'contact_version';
    update contact_version v
    set email = case when t.themselves then erased_as else v.email end,
        phone = case when t.themselves then erased_as else v.phone end,
        requested_by = regexp_replace(v.requested_by, pattern, erased_as, 'gi')
    from (select c.partner_id, c.version_no,
                 not is_pseudonym(c.email) and (c.user_id = any(users) or lower(c.email) = any(addresses)) as themselves
          from contact_version c where whose is null or c.partner_id = whose) t
    where v.partner_id = t.partner_id and v.version_no = t.version_no and (t.themselves or v.requested_by ~* pattern);
    get diagnostics changed = row_count;
    return next;
    -- what somebody wrote themselves goes as a whole
    place := 'decision';
    update decision d
    set requested_by = regexp_replace(d.requested_by, pattern, erased_as, 'gi'),
        content = regexp_replace((case when lower(d.requested_by) = any(names) then d.content - 'note' else d.content end)::text,
                                 pattern_in_json, erased_as, 'gi')::jsonb,
        reasons = regexp_replace(d.reasons::text, pattern_in_json, erased_as, 'gi')::jsonb
    where (whose is null or d.partner_id = whose)
        and (d.requested_by ~* pattern or d.content::text ~* pattern_in_json or d.reasons::text ~* pattern_in_json);
    get diagnostics changed = row_count;
    return next;
    place := 'key_reveal';
    update key_reveal k set revealed_by = regexp_replace(k.revealed_by, pattern, erased_as, 'gi')
    where (whose is null or k.partner_id = whose) and k.revealed_by ~* pattern;
    get diagnostics changed = row_count;
    return next;
    place := 'taken_back';
    update taken_back t
    set subject = regexp_replace(t.subject, pattern, erased_as, 'gi'),
        said = regexp_replace(t.said::text, pattern_in_json, erased_as, 'gi')::jsonb,
        stands = regexp_replace(t.stands::text, pattern_in_json, erased_as, 'gi')::jsonb
    where (whose is null or t.partner_id = whose)
        and (t.subject ~* pattern or t.said::text ~* pattern_in_json or t.stands::text ~* pattern_in_json);
    get diagnostics changed = row_count;
    return next;
    place := 'operator_action';
    update operator_action a
    set subject = regexp_replace(a.subject, pattern_anywhere, erased_as, 'gi'),
        before = regexp_replace(a.before, pattern_anywhere, erased_as, 'gi'),
        why = regexp_replace(a.why, pattern_anywhere, erased_as, 'gi')
    where a.subject ~* pattern_anywhere or a.before ~* pattern_anywhere or a.why ~* pattern_anywhere;
    get diagnostics changed = row_count;
    return next;
end $$;
revoke execute on function erase_in_history from public;
