-- What a night booked, decided and refused is found without reading what all nights did. The ledger and the decisions only grow,
-- run by run and day by day, so that a summary of each range of pages is enough.
create index transfer_of_run on transfer using brin (run_id) with (autosummarize = on);
create index decision_of_day on decision using brin (decided_on) with (autosummarize = on);
create index row_answer_rejected on row_answer (file_id, row_no) where status = 'rejected';
create index mail_of_operators on mail (mail_id) where stream = 'operator';
