"""Everything an operator can configure: one YAML file, one model, one table of documentation.

The field descriptions are the documentation: `twinhub config example` and
docs/operate/configuration.md are generated from them. Each section of the file
has a module of its own here.
"""

from twinhub.errors import SettingsError
from twinhub.settings.accounts import Accounts
from twinhub.settings.backup import Backup
from twinhub.settings.example import example
from twinhub.settings.gateway import ExternalService, Gateway
from twinhub.settings.library import Library, Repository
from twinhub.settings.monitoring import Monitoring
from twinhub.settings.reading import FILE_NAME, parse_settings, read_settings
from twinhub.settings.realtime import Realtime
from twinhub.settings.section import Section
from twinhub.settings.whole import Settings
from twinhub.settings.workspaces import WorkspaceProfile, Workspaces

__all__ = [
    "FILE_NAME",
    "Accounts",
    "Backup",
    "ExternalService",
    "Gateway",
    "Library",
    "Monitoring",
    "Realtime",
    "Repository",
    "Section",
    "Settings",
    "SettingsError",
    "WorkspaceProfile",
    "Workspaces",
    "example",
    "parse_settings",
    "read_settings",
]
