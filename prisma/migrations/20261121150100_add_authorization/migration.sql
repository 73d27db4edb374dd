-- CreateTable
CREATE TABLE "roster"."authorization_requests" (
    "state_hash" BYTEA NOT NULL,
    "connection_id" UUID NOT NULL,
    "intent" TEXT NOT NULL,
    "browser_hash" BYTEA NOT NULL,
    "redirect_to" TEXT NOT NULL,
    "app_state" TEXT,
    "code_challenge" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "authorization_requests_pkey" PRIMARY KEY ("state_hash")
);

-- CreateTable
CREATE TABLE "roster"."authorization_codes" (
    "code_hash" BYTEA NOT NULL,
    "connection_id" UUID NOT NULL,
    "identity_id" UUID,
    "sealed_person" TEXT,
    "code_challenge" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "authorization_codes_pkey" PRIMARY KEY ("code_hash")
);

-- CreateIndex
CREATE INDEX "authorization_requests_connection_id_idx" ON "roster"."authorization_requests"("connection_id");

-- CreateIndex
CREATE INDEX "authorization_requests_expires_at_idx" ON "roster"."authorization_requests"("expires_at");

-- CreateIndex
CREATE INDEX "authorization_codes_connection_id_idx" ON "roster"."authorization_codes"("connection_id");

-- CreateIndex
CREATE INDEX "authorization_codes_identity_id_idx" ON "roster"."authorization_codes"("identity_id");

-- CreateIndex
CREATE INDEX "authorization_codes_expires_at_idx" ON "roster"."authorization_codes"("expires_at");

-- AddForeignKey
ALTER TABLE "roster"."authorization_requests" ADD CONSTRAINT "authorization_requests_connection_id_fkey" FOREIGN KEY ("connection_id") REFERENCES "roster"."connections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roster"."authorization_codes" ADD CONSTRAINT "authorization_codes_connection_id_fkey" FOREIGN KEY ("connection_id") REFERENCES "roster"."connections"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roster"."authorization_codes" ADD CONSTRAINT "authorization_codes_identity_id_fkey" FOREIGN KEY ("identity_id") REFERENCES "roster"."identities"("id") ON DELETE CASCADE ON UPDATE CASCADE;
