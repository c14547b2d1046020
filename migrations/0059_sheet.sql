-- A file may be a workbook, of which one sheet is read.

alter table file add column sheet text;
comment on column file.sheet is 'The name of the sheet that was read, if the file is a workbook.';
