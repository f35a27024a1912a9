//! Apps. `deleted_at` is zero while one is alive.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "apps")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub environment_id: Uuid,
    pub name: String,
    pub connector_id: Uuid,
    pub connector_version: i32,
    pub client_id: String,
    pub secret: Option<Vec<u8>>,
    pub previous_secret: Option<Vec<u8>>,
    pub previous_secret_expires_at: Option<i64>,
    pub scopes: String,
    pub settings: String,
    pub state: String,
    pub held_since: Option<i64>,
    pub held_reason: Option<String>,
    pub next_probe_at: Option<i64>,
    pub revision: i32,
    pub created_at: i64,
    pub updated_at: i64,
    pub deleted_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
