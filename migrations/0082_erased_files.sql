-- Files are gone through after the tables: until that is done, what the person is known by is kept, sealed.

alter table erasure add column sealed_names text;
comment on column erasure.sealed_names is
    'What the person is known by, sealed with the secret of the store, until all files are gone through; null: they are.';
