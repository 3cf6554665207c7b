"""The words that all rooms of Twinhub share: settings, places, errors, names, sign-in."""
