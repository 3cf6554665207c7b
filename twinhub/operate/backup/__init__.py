"""Backups: every file of an installation, whole, in a folder that costs only what has changed.

A folder of backups holds `objects/`, where each content is kept once under its
SHA-256, and one folder per backup with `manifest.jsonl.gz` (every entry with its
owner, mode, times, attributes and content) and `backup.json` (what it is).
Names, owners and links of people's files are in the manifest alone, so a disk
that knows none of these can still hold backups.
"""
