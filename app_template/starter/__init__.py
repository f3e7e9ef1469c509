"""A demo of background jobs: what runs them, a web app that adds them, a page that shows them."""
