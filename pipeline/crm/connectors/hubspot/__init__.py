"""HubSpot's contacts, through its CRM API v3: https://developers.hubspot.com/docs/api-reference."""

from pipeline.crm.connectors.hubspot.connector import KIND

__all__ = ["KIND"]
