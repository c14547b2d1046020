-- What was dropped in an inbox, and where it is kept with its answer (promise 5: one file's trouble is one file's).

create table dropped (
    dropped_id  text        primary key,
    -- host and data directory: an inbox belongs to one
    place       text        not null,
    -- the Partner ID that its folder is named by, or nothing at the inbox's top
    folder      text        not null,
    name        text        not null,
    partner_id  bigint      references partner,
    dropped_at  timestamptz not null default now(),
    status      text        not null default 'taken' check (status in ('taken', 'done', 'refused')),
    ended_at    timestamptz,
    file_id     bigint      references file,
    said        text,
    -- as it was when its bytes were read
    sha256      text,
    bytes       bigint,
    modified_ns bigint,
    -- where it is kept, below its folder, under names that nothing else has
    stem        text,
    nth         integer,
    kept        text,
    answer      text,
    note        text,
    again_of    text        references dropped,
    check ((status = 'taken') = (ended_at is null))
);
create unique index dropped_names on dropped (place, folder, stem, nth);
create index dropped_open on dropped (place) where status = 'taken';
create index dropped_ended on dropped (place, ended_at);
create index dropped_file on dropped (file_id);
comment on table dropped is
    'Every file that was dropped in an inbox: what became of it, and where it and its answer are kept.';
comment on column dropped.dropped_id is 'Its name in the private place of its folder while it is taken in.';
comment on column dropped.status is
    'taken: moved out of sight, and not answered yet; done: its rows are answered; refused: as a whole.';
comment on column dropped.said is 'Why it was refused, or what else there is to say of it.';
comment on column dropped.kept is 'The file itself, as done/users.csv; null: nothing is kept, or it was taken in again.';
comment on column dropped.again_of is 'It had been taken in as that one, and was written to afterwards.';
