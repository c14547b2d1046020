-- A batch of mails that fails is cut down to the mail at fault, like every other chunk.
alter table run_chunk drop constraint run_chunk_only_key_check;
alter table run_chunk add constraint run_chunk_only_key_check check
    (only_key in ('request', 'membership', 'entitlement', 'partner', 'mail'));
