-- How a file is written is found out, or said by an operator; the same bytes under another dialect are another file.

alter table file add column stated_dialect text not null default '';
comment on column file.stated_dialect is 'What an operator said of how the file is written; empty: nothing.';
comment on column file.dialect is 'How the file is written, as found out and said.';

alter table file add column complete boolean not null default false;
comment on column file.complete is 'The file is whole, also if its last line has no line end.';
