-- The open period of everybody is unspent, and so lapses when the next begins.
update credit_schedule set open_minor = 10000;
