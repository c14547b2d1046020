-- What the row of a request was answered with is found by its line, however many rows its file had.
create index row_answer_line on row_answer (file_id, line);
