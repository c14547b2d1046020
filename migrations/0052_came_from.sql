-- Where an imported file was, and where its answer is; of a file from the inbox, `dropped` says so.

alter table file
    add column came_from text,
    add column answered_in text;
comment on column file.came_from is 'Where the file was that was imported by a command; null: it was dropped in an inbox.';
comment on column file.answered_in is 'Where the answer to an imported file is.';
