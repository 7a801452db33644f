"""A local Salesforce org behind Salesforce's HTTP protocols."""
