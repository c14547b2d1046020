-- Most of the time that a file of requests took went into its foreign keys: for each row and each key, a row was looked up and
-- locked that the same transaction had just written, or that is the same for all rows. What an accepted request did is now
-- looked up once a statement, for all of its rows together, and more is asked than a foreign key can: that the request is of
-- the same partner. So is the file of requests and of answers. Whoever writes or removes what these tables refer to keeps
-- others from changing facts meanwhile, so that nothing can be removed between the look-up and the commit.

-- What is written is of a request of its partner or, where it is of none, of a partner that is there. A session keeps the plan of
-- its first statement: it is not to read a table whole that may have grown since.
create function check_request() returns trigger language plpgsql set enable_seqscan = off as $$
begin
    if exists (select from written w
               left join lateral (select partner_id from request where request_no = w.request_no offset 0) r on true
               where case when w.request_no is not null then r.partner_id is distinct from w.partner_id
                          else (select true from partner p where p.partner_id = w.partner_id) is null end) then
        raise foreign_key_violation using
            message = format('a row of %s is of no request of its partner', tg_table_name), table = tg_table_name;
    end if;
    return null;
end $$;

create function check_file() returns trigger language plpgsql set enable_seqscan = off as $$
begin
    if exists (select from (select distinct file_id from written) w
               left join lateral (select true as known from file where file_id = w.file_id offset 0) f on true
               where f.known is null) then
        raise foreign_key_violation using
            message = format('a row of %s is of no file', tg_table_name), table = tg_table_name;
    end if;
    return null;
end $$;

-- A request goes only where nothing was done by it.
create function check_removed_request() returns trigger language plpgsql as $$
begin
    if exists (select from removed join decision using (request_no))
        or exists (select from removed join assignment using (request_no))
        or exists (select from removed join key_reveal using (request_no))
        or exists (select from removed join redemption using (request_no))
        or exists (select from removed join benefit_use using (request_no))
        or exists (select from removed join activation using (request_no))
        or exists (select from removed join support_contract using (request_no)) then
        raise foreign_key_violation using message = 'something was done by a request that would go', table = tg_table_name;
    end if;
    return null;
end $$;

create trigger removed_requests after delete on request referencing old table as removed
    for each statement execute function check_removed_request();
-- What was taken in stays on record, and so does its file.
create trigger history_only_grows before delete or truncate on file
    for each statement execute function refuse_rewriting();

create trigger written_files after insert on request referencing new table as written
    for each statement execute function check_file();
create trigger written_files after insert on row_answer referencing new table as written
    for each statement execute function check_file();
create trigger written_requests after insert on decision referencing new table as written
    for each statement execute function check_request();
create trigger written_requests after insert on assignment referencing new table as written
    for each statement execute function check_request();
create trigger written_requests after insert on key_reveal referencing new table as written
    for each statement execute function check_request();
create trigger written_requests after insert on redemption referencing new table as written
    for each statement execute function check_request();
create trigger written_requests after insert on benefit_use referencing new table as written
    for each statement execute function check_request();
create trigger written_requests after insert on activation referencing new table as written
    for each statement execute function check_request();
create trigger written_requests after insert on support_contract referencing new table as written
    for each statement execute function check_request();

alter table request drop constraint request_file_id_fkey;
alter table row_answer drop constraint row_answer_file_id_fkey;
-- Of a refused request that is not on record, its partner is all that a decision has: that foreign key stays.
alter table decision drop constraint decision_request_no_fkey;
alter table assignment drop constraint assignment_request_no_fkey, drop constraint assignment_partner_id_fkey;
alter table key_reveal drop constraint key_reveal_request_no_fkey, drop constraint key_reveal_partner_id_fkey;
alter table redemption drop constraint redemption_request_no_fkey, drop constraint redemption_partner_id_fkey;
alter table benefit_use drop constraint benefit_use_request_no_fkey, drop constraint benefit_use_partner_id_fkey;
alter table activation drop constraint activation_request_no_fkey, drop constraint activation_partner_id_fkey;
alter table support_contract drop constraint support_contract_request_no_fkey, drop constraint support_contract_partner_id_fkey;
