-- CreateTable
CREATE TABLE "roster"."connections" (
    "id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "strategy" TEXT NOT NULL,
    "display_name" TEXT NOT NULL,
    "enabled" BOOLEAN NOT NULL,
    "issuer" TEXT,
    "client_id" TEXT NOT NULL,
    "scopes" TEXT[],
    "profile_sync" TEXT NOT NULL,
    "attribute_map" JSONB NOT NULL DEFAULT '{}',
    "link_by_verified_email" BOOLEAN NOT NULL,
    "allow_sign_up" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "connections_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "roster"."connection_secrets" (
    "connection_id" UUID NOT NULL,
    "sealed_client_secret" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "connection_secrets_pkey" PRIMARY KEY ("connection_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "connections_key_key" ON "roster"."connections"("key");

-- AddForeignKey
ALTER TABLE "roster"."connection_secrets" ADD CONSTRAINT "connection_secrets_connection_id_fkey" FOREIGN KEY ("connection_id") REFERENCES "roster"."connections"("id") ON DELETE CASCADE ON UPDATE CASCADE;
