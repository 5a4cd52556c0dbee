metadata description = 'What one identity may do outside of Cosmos DB: a role for each need, at the narrowest scope.'

param principalId string

@allowed(['ServicePrincipal', 'User', 'Group'])
param principalType string

@description('As services.json has it: serviceBus, eventHubs and durableTask.')
param access object

param insightsName string
param serviceBusName string
param eventHubsName string
param vaultName string

param storageName string

@description('Whether the blobs of the account are this identity\'s own: true for a service, false for a person.')
param ownsStorage bool

@allowed(['scheduler', 'storage'])
param durableBackend string

// Of the following only those of the chosen back end need exist.
param schedulerName string
param taskHubName string
param durableStorageName string

var blobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var queueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var tableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'
var cryptoServiceEncryptionUser = 'e147488a-f6f5-4113-8e2d-b22465e65bf6'
var durableTaskDataContributor = '0ad04412-c4d5-4796-b79c-f76d14c8d402'
var serviceBusRoles = {
  receive: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
  send: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
}
var eventHubsRoles = {
  receive: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
  send: '2b629674-e913-4c01-ae53-ef4638d8f975'
}
var onScheduler = access.durableTask != 'none' && durableBackend == 'scheduler'
var inStorage = access.durableTask != 'none' && durableBackend == 'storage'
var durableRoles = [blobDataContributor, queueDataContributor, tableDataContributor]

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource storageRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (ownsStorage) {
  name: guid(storage.id, principalId, blobDataOwner)
  scope: storage
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataOwner)
    principalId: principalId
    principalType: principalType
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource insightsRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principalId, metricsPublisher)
  scope: insights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
    principalId: principalId
    principalType: principalType
  }
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

// Whoever reads or writes personal data must open its data key; the vault holds nothing else. This role reads, wraps
// and unwraps: it can neither make, delete nor export a key.
resource vaultRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, cryptoServiceEncryptionUser)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', cryptoServiceEncryptionUser)
    principalId: principalId
    principalType: principalType
  }
}

resource serviceBus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: serviceBusName
}

// At the namespace: a role on a topic does not reach its subscriptions.
resource serviceBusRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in access.serviceBus: {
    name: guid(serviceBus.id, principalId, serviceBusRoles[right])
    scope: serviceBus
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', serviceBusRoles[right])
      principalId: principalId
      principalType: principalType
    }
  }
]

resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' existing = {
  name: eventHubsName
}

resource eventHubsRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in access.eventHubs: {
    name: guid(eventHubs.id, principalId, eventHubsRoles[right])
    scope: eventHubs
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventHubsRoles[right])
      principalId: principalId
      principalType: principalType
    }
  }
]

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' existing = {
  name: schedulerName

  resource hub 'taskHubs' existing = {
    name: taskHubName
  }
}

// Starting and signalling an orchestration takes the same role as carrying it out.
resource taskHubRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (onScheduler) {
  name: guid(scheduler::hub.id, principalId, durableTaskDataContributor)
  scope: scheduler::hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', durableTaskDataContributor)
    principalId: principalId
    principalType: principalType
  }
}

resource durableStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: durableStorageName
}

resource durableStorageRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in durableRoles: if (inStorage) {
    name: guid(durableStorage.id, principalId, role)
    scope: durableStorage
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      principalId: principalId
      principalType: principalType
    }
  }
]
