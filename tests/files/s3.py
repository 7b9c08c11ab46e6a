"""An S3-compatible server, and an API whose URLs are signed as Amazon's own client signs them."""

from __future__ import annotations

import importlib
from typing import Any

from tests.files.scripted_storage import World

__all__ = ["S3", "SignedWorld"]

BUCKET = "poolse-files"


class S3:
    """moto's server in this process."""

    def __init__(self) -> None:
        server: Any = importlib.import_module("moto.server")
        self._server = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        self.port: int = self._server.get_host_and_port()[1]
        self.admin = self.client(self.port)
        self.admin.create_bucket(Bucket=BUCKET)

    def client(self, port: int) -> Any:
        """Amazon's client, for the server or for a proxy before it."""
        boto3: Any = importlib.import_module("boto3")
        config: Any = importlib.import_module("botocore.config")
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="5ecret",
            config=config.Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def content(self, key: str) -> bytes | None:
        """What is stored, None for nothing."""
        listed = self.admin.list_objects_v2(Bucket=BUCKET, Prefix=key).get("Contents", [])
        if not listed:
            return None
        body: bytes = self.admin.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def put(self, key: str, content: bytes) -> None:
        self.admin.put_object(Bucket=BUCKET, Key=key, Body=content)

    def delete(self, key: str) -> None:
        self.admin.delete_object(Bucket=BUCKET, Key=key)

    def stop(self) -> None:
        self.admin.close()
        self._server.stop()


class SignedWorld(World):
    """An API whose files are in S3, behind whatever listens at the port."""

    def __init__(self, s3: S3, port: int) -> None:
        super().__init__()
        self._signer = s3.client(port)

    def _place(self, fields: dict[str, Any]) -> dict[str, Any]:
        place = super()._place(fields)
        if not fields:
            return place | {"url": self._signed("get_object", Key="a-1")}
        key, kind = place["attachment"]["id"], fields["content_type"]
        place["upload"]["url"] = self._signed("put_object", Key=key, ContentType=kind)
        return place

    def _signed(self, method: str, **parameters: Any) -> str:
        url: str = self._signer.generate_presigned_url(
            method, Params={"Bucket": BUCKET, **parameters}, ExpiresIn=3600
        )
        return url
