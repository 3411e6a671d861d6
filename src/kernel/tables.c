/* The kernel's own tables.  SPDX-License-Identifier: Apache-2.0 */
#include "kernel/kernel_internal.h"

const char kernel_tables[] =
    "CREATE TABLE upgrades (module {T} NOT NULL, number {I} NOT NULL, at_ms {I} NOT NULL, PRIMARY KEY (module, "
    "number)){S};\n"
    /* Places as rights see them: today's closure of every hierarchy; the place itself stands at depth 0. */
    "CREATE TABLE communities (id {I} NOT NULL PRIMARY KEY, code {T} NOT NULL UNIQUE, name {T} NOT NULL, zone {T} "
    "NOT NULL){S};\n"
    "CREATE TABLE place_closure (hierarchy {T} NOT NULL, ancestor {I} NOT NULL, descendant {I} NOT NULL, depth {I} "
    "NOT NULL, PRIMARY KEY (ancestor, descendant, hierarchy)){W};\n"
    "CREATE INDEX place_closure_up ON place_closure (descendant, depth, ancestor);\n"
    /* before and after: a key-version byte and JSON, as protected fields are stored.  actor: the name he had, roles:
     * his where the row is, words with blanks between. */
    "CREATE TABLE audit (id {I} NOT NULL PRIMARY KEY, at_ms {I} NOT NULL, community_id {I} NOT NULL, resource {T} "
    "NOT NULL, row_id {I} NOT NULL, verb {T} NOT NULL, step {T}, user_id {I} NOT NULL, person_id {I} NOT NULL, actor "
    "{T}, before {B}, after {B}, reason {T}, trace {T}, roles {T}){S};\n"
    "CREATE INDEX audit_of_row ON audit (resource, row_id, id);\n"
    /* number: given when delivered, so that it rises in the order of delivery. */
    "CREATE TABLE events (id {I} NOT NULL PRIMARY KEY, number {I} UNIQUE, at_ms {I} NOT NULL, community_id {I} NOT "
    "NULL, place_id {I} NOT NULL, resource {T} NOT NULL, row_id {I} NOT NULL, topic {T} NOT NULL, body {T} NOT NULL, "
    "trace {T}, actor_id {I} NOT NULL, delivered_ms {I}, tries {I} NOT NULL, next_ms {I} NOT NULL, dead {I} NOT "
    "NULL){S};\n"
    "CREATE INDEX events_waiting ON events (id) WHERE delivered_ms IS NULL AND dead = 0;\n"
    "CREATE INDEX events_waiting_of_row ON events (resource, row_id, id) WHERE delivered_ms IS NULL AND dead = 0;\n"
    "CREATE INDEX events_delivered ON events (delivered_ms) WHERE delivered_ms IS NOT NULL;\n"
    "CREATE TABLE counters (name {T} NOT NULL PRIMARY KEY, value {I} NOT NULL){W};\n"
    "CREATE TABLE timers (resource {T} NOT NULL, row_id {I} NOT NULL, step {T} NOT NULL, due_ms {I} NOT NULL, "
    "lease_ms {I} NOT NULL, tries {I} NOT NULL, PRIMARY KEY (resource, row_id, step)){W};\n"
    "CREATE INDEX timers_due ON timers (due_ms);\n"
    "CREATE TABLE jobs (name {T} NOT NULL PRIMARY KEY, next_ms {I} NOT NULL, lease_ms {I} NOT NULL, tries {I} NOT "
    "NULL){W};\n"
    "CREATE TABLE files (id {I} NOT NULL PRIMARY KEY, hash {T} NOT NULL, name {T} NOT NULL, type {T} NOT NULL, "
    "size_bytes {I} NOT NULL, at_ms {I} NOT NULL, created_by {I} NOT NULL){S};\n"
    "CREATE TABLE foreign_ids (resource {T} NOT NULL, source {T} NOT NULL, foreign_id {T} NOT NULL, row_id {I} NOT "
    "NULL, version {T}, is_authority {I} NOT NULL, PRIMARY KEY (resource, source, foreign_id)){W};\n"
    "CREATE INDEX foreign_ids_of_row ON foreign_ids (resource, row_id);\n"
    "CREATE TABLE search_terms (resource {T} NOT NULL, term {T} NOT NULL, row_id {I} NOT NULL, PRIMARY KEY "
    "(resource, term, row_id)){W};\n"
    "CREATE TABLE search_docs (resource {T} NOT NULL, row_id {I} NOT NULL, text {T} NOT NULL, PRIMARY KEY (resource, "
    "row_id)){W};\n"
    "CREATE TABLE installation_keys (name {T} NOT NULL PRIMARY KEY, value {B} NOT NULL){S};\n"
    /* Answers kept for repeated idempotency keys. */
    "CREATE TABLE idempotency (actor_id {I} NOT NULL, key {T} NOT NULL, request {T} NOT NULL, status {I} NOT NULL, "
    "answer {B}, at_ms {I} NOT NULL, PRIMARY KEY (actor_id, key)){S};\n"
    "CREATE INDEX idempotency_at ON idempotency (at_ms);\n";
