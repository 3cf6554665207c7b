"""The pages: Library, Digital Twins, Workbench. `web.app.create_app` builds them; `python -m web` serves them."""
