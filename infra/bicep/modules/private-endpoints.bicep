metadata description = 'Every private endpoint: one for each resource that holds state, in the subnet of endpoints.'

param namePrefix string
param token string
param location string
param tags object
param subnetId string

@description('As network.bicep has them: blobs, queues, tables, Cosmos DB, both brokers, Key Vault.')
param zoneIds array

param cosmosId string
param serviceBusId string
param eventHubsId string
param vaultId string
param blobsId string

@description('The services, and in the same order the accounts of their own.')
param serviceNames array
param storageIds array

@description('The account that holds the task hub; empty with the scheduler back end.')
param taskHubStorageId string

var shared = [
  { name: 'cosmos', group: 'Sql', zone: 3, id: cosmosId }
  { name: 'service-bus', group: 'namespace', zone: 4, id: serviceBusId }
  { name: 'event-hubs', group: 'namespace', zone: 4, id: eventHubsId }
  { name: 'key-vault', group: 'vault', zone: 5, id: vaultId }
  { name: 'blobs', group: 'blob', zone: 0, id: blobsId }
]

module sharedEndpoints 'private-endpoint.bicep' = [
  for endpoint in shared: {
    name: 'private-${endpoint.name}'
    params: {
      name: '${namePrefix}${endpoint.name}-${token}'
      location: location
      tags: tags
      subnetId: subnetId
      targetId: endpoint.id
      group: endpoint.group
      zoneId: zoneIds[endpoint.zone]
    }
  }
]

module ownBlobs 'private-endpoint.bicep' = [
  for (service, i) in serviceNames: {
    name: 'private-blob-${service}'
    params: {
      name: '${namePrefix}blob-${service}-${token}'
      location: location
      tags: tags
      subnetId: subnetId
      targetId: storageIds[i]
      group: 'blob'
      zoneId: zoneIds[0]
    }
  }
]

module taskHub 'private-endpoint.bicep' = [
  for (part, i) in ['queue', 'table']: if (!empty(taskHubStorageId)) {
    name: 'private-${part}'
    params: {
      name: '${namePrefix}${part}-${token}'
      location: location
      tags: tags
      subnetId: subnetId
      targetId: taskHubStorageId
      group: part
      zoneId: zoneIds[i + 1]
    }
  }
]
