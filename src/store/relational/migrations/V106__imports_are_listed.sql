-- The imports of a tenant, newest first.
CREATE INDEX imports_of_tenants ON imports (tenant, seq);
