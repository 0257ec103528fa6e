-- The filters of the audit log, newest entries first. Periods are found by the numbers of the rows. An order, which most rows
-- are of, is in one index alone.
CREATE INDEX audit_by_who ON audit (who, seq);
CREATE INDEX audit_by_what ON audit (what, seq) WHERE what <> 'POST /v1/callbacks';
CREATE INDEX audit_by_tenant ON audit (tenant, seq) WHERE tenant <> 'default';
CREATE INDEX audit_by_outcome ON audit (outcome, seq) WHERE outcome <> 'done';
