-- With which secret the product keys of this store are sealed and looked up: a value that tells it from any other
-- secret and does not give it away.
create table vault (
    only_one     boolean     primary key default true check (only_one),
    secret_check bytea       not null check (length(secret_check) = 32),
    recorded_at  timestamptz not null default now()
);
comment on table vault is 'Names the secret that product keys are sealed with; another one is refused.';
