-- What goes when a file is taken back is asked for along indexes by the tables that could still name it.

create index membership_renews on membership (renews) where renews is not null;
create index request_entitlement on request (entitlement_id) where entitlement_id is not null;
create index assignment_user on assignment (user_id);
create index contact_version_user on contact_version (user_id);
create index contact_user on contact (user_id);
