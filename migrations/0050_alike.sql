-- Identifiers that differ in nothing but case, width, dashes or leading zeros are one and the same, unless an operator says so.

create function alike(identifier text) returns text
language sql immutable parallel safe
return lower(ltrim(translate(normalize(identifier, nfkc), U&'\2010\2011\2012\2013\2014\2015\2212', '-------'), '0'));
comment on function alike(text) is 'What an identifier has in common with those that are asked about beside it.';

create index membership_alike on membership (partner_id, alike(order_id));
create index partner_alike on partner (alike(number));

alter table file add column accept_alike boolean not null default false;
comment on column file.accept_alike is 'New identifiers that are like known ones are taken in.';
