"""The application: five workloads run with Runyard, and what a new user copies."""
