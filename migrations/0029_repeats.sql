-- Rows of a state kind whose key stands twice in their file with other content (D16): none of them holds.

create unlogged table staged_repeat (
    file_id    bigint  not null,
    row_no     integer not null,
    -- the first line that says something else of the same key
    other_line integer not null,
    primary key (file_id, row_no)
);
comment on table staged_repeat is
    'Staged rows that another row of their file contradicts. Unlogged and short-lived, as staged_row is.';
