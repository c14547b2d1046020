-- A file may be taken in as a whole or not at all.

alter table file add column all_or_nothing boolean not null default false;
comment on column file.all_or_nothing is 'If a row of it is rejected, nothing of it is applied.';
