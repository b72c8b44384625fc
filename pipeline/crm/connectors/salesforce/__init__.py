"""Salesforce: sObject Collections for few rows, Bulk API 2.0 for many, leads and contacts as one."""

from __future__ import annotations

from pipeline.crm.connectors.salesforce.connector import connected, places
from pipeline.crm.connectors.salesforce.options import SalesforceOptions
from pipeline.crm.kinds import ConnectorKind

KIND = ConnectorKind(SalesforceOptions, connected, places)
