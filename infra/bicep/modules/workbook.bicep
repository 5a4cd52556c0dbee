metadata description = 'What operators look at first: writes, views, sagas and the platform on one page.'

param name string
param location string
param tags object
param workspaceId string
param cosmosId string
param serviceBusId string

var withWorkspace = replace(loadTextContent('../workbook.json'), '{workspaceId}', workspaceId)
var withCosmos = replace(withWorkspace, '{cosmosId}', cosmosId)

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: name
    category: 'workbook'
    sourceId: workspaceId
    serializedData: replace(withCosmos, '{serviceBusId}', serviceBusId)
  }
}
