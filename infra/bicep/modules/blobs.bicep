metadata description = 'The account of all services: archives of the events, and payloads too large for their messages.'

param name string
param location string
param tags object
param zoneRedundant bool

@description('Keep a copy in the paired region: an archive should outlive its region.')
param geoRedundant bool
param publicAccess bool

@description('Each service\'s identity (principalId) and, as services.json has it, its access.')
param grants array

@description('Empty in production.')
param developerId string

@allowed(['User', 'ServicePrincipal', 'Group'])
param developerType string
param developerAccess object

var containers = loadJsonContent('../../topology/blobs.json').containers
var expiring = filter(containers, container => container.deleteAfterDays != null)
var cooling = filter(containers, container => container.coolAfterDays != null)
var redundancy = geoRedundant ? (zoneRedundant ? 'GZRS' : 'GRS') : (zoneRedundant ? 'ZRS' : 'LRS')

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_${redundancy}' }
  properties: {
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      defaultAction: publicAccess ? 'Allow' : 'Deny'
      bypass: publicAccess ? 'AzureServices' : 'None'
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 7 }
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    }
  }
}

resource boxes 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [
  for container in containers: {
    parent: account::blobs
    name: container.name
    properties: { publicAccess: 'None' }
  }
]

var expiryRules = [
  for container in expiring: {
    name: 'delete-${container.name}'
    enabled: true
    type: 'Lifecycle'
    definition: {
      filters: { blobTypes: ['blockBlob'], prefixMatch: ['${container.name}/'] }
      actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: container.deleteAfterDays } } }
    }
  }
]

// Cool, not archive: what is in the archive tier has to be fetched for hours before it can be read.
var coolingRules = [
  for container in cooling: {
    name: 'cool-${container.name}'
    enabled: true
    type: 'Lifecycle'
    definition: {
      filters: { blobTypes: ['blockBlob'], prefixMatch: ['${container.name}/'] }
      actions: { baseBlob: { tierToCool: { daysAfterModificationGreaterThan: container.coolAfterDays } } }
    }
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: { policy: { rules: concat(expiryRules, coolingRules) } }
}

module serviceAccess 'blob-access.bicep' = [
  for (grant, i) in grants: {
    name: 'blob-access-${i}'
    params: {
      principalId: grant.principalId
      principalType: 'ServicePrincipal'
      accountName: account.name
      access: grant.access
    }
    dependsOn: [boxes]
  }
]

module developerRoles 'blob-access.bicep' = if (!empty(developerId)) {
  name: 'blob-access-developer'
  params: {
    principalId: developerId
    principalType: developerType
    accountName: account.name
    access: developerAccess
  }
  dependsOn: [boxes]
}

output id string = account.id
output name string = account.name
output endpoint string = account.properties.primaryEndpoints.blob
