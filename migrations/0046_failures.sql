-- A file that fails for a reason of its own is tried less and less often, and then refused (promise 5).

alter table file
    add column failures integer not null default 0,
    add column retry_at timestamptz;
comment on column file.failures is
    'How often taking it in or answering it failed for a reason of its own; what was left to chance, a crash, counts in attempts.';
comment on column file.retry_at is
    'Until then nobody but an operator who imports it tries it again.';
