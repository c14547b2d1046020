-- A big file's rows are put together by partner before they are applied: what is known of a partner is then read once
-- for a file, however its rows lie.

alter table file
    add column buckets integer not null default 1 check (buckets > 0),
    add column grouped text[] not null default '{}';
comment on column file.buckets is 'Buckets that its rows are put in by their Partner ID; with 1 they are applied in the order of the file.';
comment on column file.grouped is 'Partner IDs that belonged to a group when the file was staged: their rows are in bucket 0, in the order of the file.';

alter table file_chunk add column bucket integer not null default 0;
comment on column file_chunk.bucket is 'Its rows are those of this bucket from first_row until until_row.';

alter table staged_row
    add column bucket integer not null default 0,
    drop constraint staged_row_pkey,
    add primary key (file_id, bucket, row_no);
