"""What is under deploy/ for containers is right as far as can be seen without running it: Helm's engine renders the chart, and the
schemas of Kubernetes, hadolint, docker-compose and yamllint have nothing to say."""

import json
import re
import subprocess
import sys
import unittest
from pathlib import Path

import helm_python as helm
import kubernetes_validate
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/plenum"
COMPOSE = ROOT / "deploy/docker/compose.yaml"
# What the chart says that it runs on: the first of kubeVersion, and what is new.
KUBERNETES = ["1.27", "1.37"]
# Kinds that are not of Kubernetes itself, so that there is no schema of theirs here.
GUESTS = {"ServiceMonitor", "ScaledObject"}

EVERYTHING = {
    "autoscaling": {"enabled": True},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "networkPolicy": {"enabled": True},
    "network": {"mode": "hostPort", "publicIp": "hostIP"},
    "ports": {"mediaTcp": 10000},
    "persistence": {"enabled": True, "storageClass": "fast"},
    "existingSecret": "plenum-secrets",
    "imagePullSecrets": [{"name": "registry"}],
    "podLabels": {"team": "voice"},
    "podAnnotations": {"note": "1"},
    "nodeSelector": {"voice": "true"},
    "tolerations": [{"key": "voice", "operator": "Exists"}],
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "priorityClassName": "voice",
}
KEDA = {"autoscaling": {"enabled": True, "kind": "keda"}, "network": {"publicIp": "203.0.113.5"}}


class Chart(unittest.TestCase):
    def test_helm_has_nothing_to_say(self):
        report = helm.lint(CHART, strict=True)

        faults = [message for message in report["messages"] if message["error"] != "icon is recommended"]
        self.assertEqual((faults, report["errors"]), ([], []))

    def test_what_it_makes_is_what_kubernetes_takes(self):
        for values in ({}, EVERYTHING, KEDA):
            for manifest in manifests(values):
                for version in KUBERNETES:
                    with self.subTest(values=values, kind=manifest["kind"], version=version):
                        if manifest["kind"] not in GUESTS:
                            kubernetes_validate.validate(manifest, version, strict=True)

    def test_it_is_well_written(self):
        for values in ({}, EVERYTHING, KEDA):
            text = "".join(f"---\n{text.strip()}\n" for text in render(values).values() if text.strip())
            self.assertEqual(yamllint(text), "", values)

    def test_every_switch_makes_what_it_says(self):
        kinds = sorted(manifest["kind"] for manifest in manifests(EVERYTHING))

        self.assertEqual(
            kinds,
            ["ConfigMap", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Service", "Service", "ServiceAccount",
             "ServiceMonitor", "StatefulSet"],
        )
        self.assertIn("ScaledObject", [manifest["kind"] for manifest in manifests(KEDA)])

    def test_a_pod_outlives_its_drain(self):
        pod = pod_of({"drain": {"deadline": 100}})

        self.assertGreater(pod["terminationGracePeriodSeconds"], 100)

    def test_there_is_a_port_for_each_net_thread(self):
        ports = pod_of({"netThreads": 3, "ports": {"media": 20000}})["containers"][0]["ports"]

        self.assertEqual([port["hostPort"] for port in ports if port.get("protocol") == "UDP"], [20000, 20001, 20002])

    def test_a_pod_has_no_rights(self):
        pod = pod_of({})
        container = pod["containers"][0]["securityContext"]

        self.assertTrue(pod["securityContext"]["runAsNonRoot"])
        self.assertTrue(container["readOnlyRootFilesystem"])
        self.assertEqual(container["capabilities"], {"drop": ["ALL"]})
        self.assertFalse(pod["automountServiceAccountToken"])

    def test_values_that_cannot_be_are_refused(self):
        for values, reason in [
            ({"network": {"mode": "hostPort"}}, "publicIp is needed"),
            ({"replicaCount": 2, "network": {"publicIp": "203.0.113.5"}}, "one address"),
            ({"networkPolicy": {"enabled": True}}, "needs network.mode hostPort"),
            ({"nettwork": {}}, "nettwork"),
            ({"ports": {"http": "80"}}, "/ports/http"),
            ({"admin": {"allow": ["everybody"]}}, "/admin/allow"),
        ]:
            with self.subTest(values=values), self.assertRaisesRegex(helm.HelmError, reason):
                render(values)

    def test_its_version_is_that_of_the_server(self):
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

        self.assertEqual(chart["appVersion"], found(r'^version = "(.+)"', "Cargo.toml"))


class Image(unittest.TestCase):
    def test_hadolint_has_nothing_to_say(self):
        self.assertEqual(run(tool("hadolint"), ROOT / "deploy/docker/Dockerfile"), "")

    def test_its_compiler_is_that_of_the_repository(self):
        channel = found(r'^channel = "(\d+\.\d+)', "rust-toolchain.toml")

        self.assertEqual(found(r"^FROM rust:([\d.]+)-", "deploy/docker/Dockerfile"), channel)


class Compose(unittest.TestCase):
    def test_docker_compose_takes_it(self):
        services = yaml.safe_load(run("docker-compose", "--file", COMPOSE, "config"))["services"]

        self.assertEqual(sorted(services), ["grafana", "plenum", "prometheus"])

    def test_what_it_mounts_is_there(self):
        for service in yaml.safe_load(COMPOSE.read_text())["services"].values():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("."):
                    self.assertTrue((COMPOSE.parent / source).exists(), source)

    def test_it_is_well_written(self):
        for path in [COMPOSE, *COMPOSE.parent.glob("grafana/*/*.yaml"), CHART / "Chart.yaml", CHART / "values.yaml"]:
            self.assertEqual(yamllint(path.read_text()), "", path)


def render(values):
    with helm.Chart.load(CHART) as chart:
        texts = chart.render(values, name="plenum", namespace="voice")
    return {name: text for name, text in texts.items() if name.endswith(".yaml")}


def manifests(values):
    return [document for text in render(values).values() for document in yaml.safe_load_all(text) if document]


def pod_of(values):
    return next(m for m in manifests(values) if m["kind"] == "StatefulSet")["spec"]["template"]["spec"]


def yamllint(text):
    rules = {"extends": "default", "rules": {
        # Comments here are sentences, and a chart's templates leave empty lines and indent lists as Helm's own do.
        "line-length": "disable", "document-start": "disable", "comments-indentation": "disable", "braces": "disable",
        "empty-lines": "disable", "trailing-spaces": "disable", "indentation": {"indent-sequences": "whatever"}, "truthy": {"check-keys": False},
    }}
    return subprocess.run(
        [tool("yamllint"), "--strict", "--format", "parsable", "--config-data", json.dumps(rules), "-"],
        input=text, capture_output=True, text=True, check=False,
    ).stdout


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise AssertionError(f"{command[0]} ends with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def tool(name):
    return Path(sys.executable).parent / name


def found(pattern, path):
    return re.search(pattern, (ROOT / path).read_text(), re.MULTILINE).group(1)


if __name__ == "__main__":
    unittest.main()
