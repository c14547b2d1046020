-- What `explain` is asked for by name is found without reading tables whole: a service request by its ID, also one that
-- was refused and is on record as a decision only, and a directory user whose partner is not named.
create index request_service on request (request_key) where family = 'service';
create index decision_service on decision ((content ->> 'request_id')) where content ->> 'request_id' is not null;
create index directory_user_by_object_id on directory_user (lower(object_id));
create index directory_user_by_upn on directory_user (lower(user_principal_name));
