"""What applications have been seen to know of a tenant's keys, and keys that wait for them."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("""
        -- an application whose falling behind holds up a rotation; said in its settings
        alter table insula.clients
          add column important boolean not null
              generated always as (coalesce(metadata -> 'important' = 'true'::jsonb, false)) stored;
        create index clients_important on insula.clients (tenant_id, client_id) where important;

        -- the last key that an application was seen with, for each algorithm and kind of evidence
        create table insula.key_adoption (
          tenant_id uuid not null default insula.current_tenant()
                    references insula.tenants on delete cascade,
          id        uuid not null default gen_random_uuid(),
          client_id uuid not null,
          how       text not null check (how in ('fetched', 'used')),
          alg       text not null check (alg in ('RS256', 'ES256', 'PS256', 'EdDSA')),
          kid       text not null check (kid <> '' and length(kid) <= 200),
          last_seen timestamptz not null,
          primary key (tenant_id, id),
          unique (tenant_id, client_id, how, alg),
          foreign key (tenant_id, client_id)
            references insula.clients (tenant_id, id) on delete cascade
        );

        -- the longest that keys of before may be needed is the longest there could be
        alter table insula.signing_keys
          -- when the job last made due_at of the settings that hold
          add column planned_at timestamptz not null default '-infinity',
          -- seconds that a token of this key may live, at most; null: nobody has looked yet
          add column longest_life integer default 86400 check (longest_life > 0),
          add column waiting_since timestamptz,
          add column waits_for text[] not null default '{}';
        alter table insula.signing_keys alter column longest_life drop default;
        create index signing_keys_unplanned on insula.signing_keys (planned_at) where state = 'active';
        create index signing_keys_waiting on insula.signing_keys (waiting_since)
         where waiting_since is not null;
        create index signing_keys_revoked on insula.signing_keys (revoked_at)
         where revoked_at is not null;
    """)
