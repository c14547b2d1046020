-- So many partners, each of whom is owed one notice.
insert into file (sha256, name, kind, dialect, header, received_on)
values (repeat('0', 64), 'partners.csv', 'partners', 'canonical', '{}', '2024-01-31');
insert into partner (number, name, account_email, country, currency, file_id)
select n, 'Partner ' || n, 'p' || n || '@d' || n % 97 || '.example', 'SE', 'SEK', 1 from generate_series(1, :rows) n;
insert into notice_batch (partner_id, audience, stream)
select partner_id, 'contact_else_account', 'transactional' from partner;
insert into notice (partner_id, batch_id, run_id, subject_kind, subject_id, kind, anchor_on, content)
select partner_id, batch_id, 0, 'membership', partner_id, 'membership_ended', '2024-01-31',
       jsonb_build_object('kind', 'membership_ended', 'order_id', 'ORD-' || partner_id,
                          'offer', 'Partner Success Core', 'ended_on', '2024-01-31')
from notice_batch;
