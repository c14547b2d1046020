-- Files that a guard held back are told apart from those that cannot be taken in (promise 6).

alter table file add column guarded boolean not null default false;
comment on column file.guarded is 'It was refused as a whole until an operator lets it in.';
create index file_guarded on file (received_on) where guarded;
