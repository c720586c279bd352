{{- define "plenum.name" -}}
{{- if contains "plenum" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-plenum" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "plenum.selector" -}}
app.kubernetes.io/name: plenum
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "plenum.labels" -}}
{{ include "plenum.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What values can say, and cannot be. */}}
{{- define "plenum.check" -}}
{{- if and (eq .Values.network.mode "hostPort") (not .Values.network.publicIp) }}
{{- fail "network.publicIp is needed with network.mode hostPort: nobody can reach the address that a pod has of its own. hostIP is that of the node" }}
{{- end }}
{{- if and (gt (int .Values.replicaCount) 1) .Values.network.publicIp (ne .Values.network.publicIp "hostIP") }}
{{- fail "network.publicIp is one address, so replicaCount must be 1: with more, hostIP takes each node's own" }}
{{- end }}
{{- if and .Values.networkPolicy.enabled (eq .Values.network.mode "host") }}
{{- fail "networkPolicy.enabled needs network.mode hostPort: a NetworkPolicy does not reach pods in the network of their node. Use the node's firewall (docs/network.md)" }}
{{- end }}
{{- end }}
