"""The tables."""

from __future__ import annotations

__all__ = ["FORMAT", "SCHEMA"]

FORMAT = 1
"""Of the tables. A file of another format is not read; it changes with every change below."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS tenants (
    id TEXT PRIMARY KEY,
    api_key TEXT NOT NULL UNIQUE,
    signing_key TEXT NOT NULL,
    inserted_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants,
    external_id TEXT NOT NULL,
    display_name TEXT,
    custom_data TEXT NOT NULL,
    is_blocked INTEGER NOT NULL DEFAULT 0,
    inserted_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (tenant_id, external_id)
);
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants,
    type TEXT NOT NULL,
    name TEXT,
    avatar_url TEXT,
    created_by_user_id TEXT REFERENCES users,
    member_limit INTEGER,
    custom_data TEXT NOT NULL,
    settings TEXT NOT NULL,
    last_message_at TEXT,
    last_sequence INTEGER NOT NULL DEFAULT 0,
    inserted_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS memberships (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations,
    user_id TEXT NOT NULL REFERENCES users,
    role TEXT NOT NULL,
    last_read_message_id TEXT REFERENCES messages,
    last_read_at TEXT,
    inserted_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (conversation_id, user_id)
);
CREATE INDEX IF NOT EXISTS conversations_of_a_user ON memberships (user_id);
CREATE TABLE IF NOT EXISTS messages (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants,
    conversation_id TEXT NOT NULL REFERENCES conversations,
    sender_id TEXT REFERENCES users,
    type TEXT NOT NULL,
    body TEXT,
    reply_to_id TEXT REFERENCES messages,
    thread_root_id TEXT REFERENCES messages,
    quoted_message_id TEXT REFERENCES messages,
    mentions TEXT NOT NULL,
    edited_at TEXT,
    deleted_at TEXT,
    sequence INTEGER NOT NULL,
    inserted_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (conversation_id, sequence)
);
CREATE INDEX IF NOT EXISTS replies ON messages (thread_root_id) WHERE thread_root_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS reactions (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL REFERENCES messages,
    emoji TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users,
    UNIQUE (message_id, emoji, user_id)
);
CREATE TABLE IF NOT EXISTS attachments (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants,
    message_id TEXT REFERENCES messages,
    position INTEGER,
    sender_id TEXT REFERENCES users,
    content_type TEXT NOT NULL,
    byte_size INTEGER NOT NULL,
    sha256 TEXT,
    original_filename TEXT,
    inserted_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS files ON attachments (message_id) WHERE message_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS answers (
    tenant_id TEXT NOT NULL REFERENCES tenants,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    inserted_at REAL NOT NULL,
    PRIMARY KEY (tenant_id, method, path, key)
);
"""
