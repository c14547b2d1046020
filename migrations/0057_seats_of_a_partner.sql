-- A group's Visual Studio seats are read for every chunk of a file that brings some (D12): along an index that holds those
-- that run and nothing else.
create index entitlement_seats on entitlement (partner_id)
    where benefit like 'visual_studio%' and ended_on is null;
