-- A night answers the ticks of its date: found by it, however many nights there were.
create index tick_of_date on tick (due_on);
