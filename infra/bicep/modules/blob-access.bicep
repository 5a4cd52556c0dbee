metadata description = 'What one identity may do with the shared blobs: a role for each container it needs.'

param principalId string

@allowed(['ServicePrincipal', 'User', 'Group'])
param principalType string

param accountName string

@description('As services.json has it: the containers it reads, and those it also writes and deletes in.')
param access object

var blobDataReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource readBox 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = [
  for container in access.read: {
    name: '${accountName}/default/${container}'
  }
]

resource readRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (container, i) in access.read: {
    name: guid(accountName, container, principalId, blobDataReader)
    scope: readBox[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataReader)
      principalId: principalId
      principalType: principalType
    }
  }
]

resource writeBox 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = [
  for container in access.write: {
    name: '${accountName}/default/${container}'
  }
]

resource writeRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (container, i) in access.write: {
    name: guid(accountName, container, principalId, blobDataContributor)
    scope: writeBox[i]
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
      principalId: principalId
      principalType: principalType
    }
  }
]
