-- :partners partners, one directory user each, and the rates of one day.
insert into file (sha256, name, kind, dialect, header, received_on, status)
values (repeat('0', 64), 'seed.csv', 'partners', 'canonical', '{}', '2023-07-15', 'done');

insert into partner (number, name, account_email, country, currency, file_id)
select (1000000 + n)::text, 'Partner ' || n, 'account' || n || '@partner.example', 'SE',
       (array['USD', 'USD', 'EUR', 'SEK'])[1 + n % 4], 1
from generate_series(1, :partners) n;

insert into directory_user (partner_id, object_id, user_principal_name, file_id)
select partner_id, 'object-' || partner_id, 'admin@partner' || partner_id || '.example', 1 from partner;

insert into reference_rate (currency, published_on, per_euro_micro, file_id)
values ('USD', '2024-06-15', 1070000, 1), ('SEK', '2024-06-15', 11234500, 1);
insert into rate_day (day, published) values ('2024-06-15', true);
