param namePrefix string
param location string
param tags object
param workspaceId string
param cosmosId string
param serviceBusId string

@description('Who is told; empty: alerts are only shown in the portal.')
param email string
param actionGroupName string

// Our own metrics, as OpenTelemetry writes them into the workspace.
var alerts = loadJsonContent('../../topology/alerts.json').alerts

// A histogram comes with the greatest value it saw; a gauge is one value, which is its sum.
var peak = 'Peak = coalesce(Max, Sum)'
var parts = map(alerts, alert => empty(alert.splitBy) ? '' : ', Part = tostring(Properties["${alert.splitBy}"])')

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'orders'
    emailReceivers: [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource own 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for (alert, i) in alerts: {
    name: '${namePrefix}${alert.name}'
    location: location
    tags: tags
    properties: {
      displayName: alert.name
      description: alert.description
      severity: alert.severity
      enabled: alert.enabled
      evaluationFrequency: 'PT5M'
      windowSize: alert.window
      scopes: [workspaceId]
      autoMitigate: true
      // The table is empty, or not there yet, until the first metric arrives.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: 'AppMetrics | where Name == "${alert.metric}" | extend ${peak}${parts[i]}'
            timeAggregation: alert.aggregation
            metricMeasureColumn: alert.aggregation == 'Count' ? null : 'Peak'
            dimensions: empty(alert.splitBy) ? [] : [{ name: 'Part', operator: 'Include', values: ['*'] }]
            operator: alert.operator
            threshold: alert.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: empty(email) ? [] : [people.id] }
    }
  }
]

resource throttled 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${namePrefix}cosmos-throttling'
  location: 'global'
  tags: tags
  properties: {
    description: 'Cosmos DB turns requests away (429): more are asked for than is paid for, or one partition is hot.'
    severity: 2
    enabled: true
    scopes: [cosmosId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'throttled'
          metricNamespace: 'Microsoft.DocumentDB/databaseAccounts'
          metricName: 'TotalRequests'
          dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 100
        }
      ]
    }
    actions: empty(email) ? [] : [{ actionGroupId: people.id }]
  }
}

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${namePrefix}dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'Messages that nobody could handle lie in a dead-letter queue; nothing ever removes them by itself.'
    severity: 2
    enabled: true
    scopes: [serviceBusId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'DeadletteredMessages'
          dimensions: [{ name: 'EntityName', operator: 'Include', values: ['*'] }]
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: empty(email) ? [] : [{ actionGroupId: people.id }]
  }
}
