-- What is told of a file that was given up is also told by a process that did not give it up, in the partner's language.

alter table file add column refusal_swedish text;
comment on column file.refusal_swedish is 'Of a file that was given up: refusal, in Swedish.';
